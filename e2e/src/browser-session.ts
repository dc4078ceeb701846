/** Just enough of a browser for forms: keeps cookies, follows redirects, finds CSRF tokens. */
export class BrowserSession {
  readonly #base: string
  readonly #cookies = new Map<string, string>()

  constructor(base: string) {
    this.#base = base
  }

  async get(
    path: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: string; headers: Headers }> {
    return this.#send(path, { headers })
  }

  /** Submits a form of the page at `path` with its CSRF token. */
  async submit(path: string, action: string, fields: Record<string, string>) {
    const page = await this.get(path)
    const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(page.body)?.[1]
    if (!token) throw new Error(`no CSRF token on ${path} (${page.status}):\n${page.body}`)
    return this.post(
      action,
      { ...fields, csrfmiddlewaretoken: token },
      { referer: new URL(path, this.#base).href },
    )
  }

  async post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
    return this.#send(path, { method: 'POST', headers, body: new URLSearchParams(fields) })
  }

  async #send(path: string, init: RequestInit & { headers: Record<string, string> }) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(new URL(path, this.#base), {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, ...(cookie && { cookie }) },
      signal: AbortSignal.timeout(30_000),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      this.#cookies.set(name, value)
    }
    return { status: response.status, body: await response.text(), headers: response.headers }
  }
}
