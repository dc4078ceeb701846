import { defineFact } from '@havn/checklist'

/** What the platform's edge does for the app, so that settings need not. */
export interface EdgeDuties {
  /** Plain HTTP is sent to https before the app sees it. */
  redirectsToHttps: boolean
  /** Of `edge.security`. */
  sendsHsts: boolean
  sendsNosniff: boolean
  sendsFrameOptions: boolean
  sendsReferrerPolicy: boolean
  sendsContentSecurityPolicy: boolean
}

/** What the configuration says of the edge; all false without one. */
export const edgeDuties = defineFact<EdgeDuties>({
  id: 'edge-duties',
  title: 'Duties of the edge',
  async collect({ config }) {
    const security = config?.edge?.security
    const isOn = security !== undefined && security.profile !== 'off'
    const sends = (header: unknown, byProfile = isOn) =>
      header === false ? false : header !== undefined || byProfile
    const speaksTls = config?.tls !== undefined
    // Browsers forget it by an age of nothing (RFC 6797 §6.1.1).
    const unsaysHsts = security?.hsts !== undefined && security.hsts !== false && security.hsts.maxAgeS === 0
    return {
      redirectsToHttps: speaksTls && config.tls?.redirectFrom !== undefined,
      sendsHsts: speaksTls && !unsaysHsts && sends(security?.hsts, security?.profile === 'strict'),
      sendsNosniff: sends(security?.contentTypeOptions),
      sendsFrameOptions: sends(security?.frameOptions),
      sendsReferrerPolicy: sends(security?.referrerPolicy),
      sendsContentSecurityPolicy: sends(security?.contentSecurityPolicy, security?.profile === 'strict'),
    }
  },
})
