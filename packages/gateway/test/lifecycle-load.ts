import { Agent, request } from 'node:http'

/** What a load has seen. */
export interface LoadResult {
  /** Answers by their text. */
  answers: Map<string, number>
  /** Errors, and statuses other than 200. */
  failures: string[]
}

export interface Load {
  readonly answered: number
  /** Lets the requests that are out come back. */
  stop(): Promise<LoadResult>
}

/** Keeps clients asking, each as soon as it has its answer: over one connection each, or over a new one each time. */
export function startLoad(url: string, options: { clients: number; keepAlive: boolean }): Load {
  const agent = new Agent({ keepAlive: options.keepAlive, maxSockets: options.clients })
  const result: LoadResult = { answers: new Map(), failures: [] }
  let answered = 0
  let isOver = false

  async function client(): Promise<void> {
    while (!isOver) {
      try {
        const { status, text } = await ask(url, agent)
        answered += 1
        if (status !== 200) result.failures.push(`${status} ${text}`)
        else result.answers.set(text, (result.answers.get(text) ?? 0) + 1)
      } catch (error) {
        result.failures.push(String(error))
      }
    }
  }

  const clients = Array.from({ length: options.clients }, client)
  return {
    get answered() {
      return answered
    },
    async stop() {
      isOver = true
      await Promise.all(clients)
      agent.destroy()
      return result
    },
  }
}

function ask(url: string, agent: Agent): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.once('error', reject)
    })
      .once('error', reject)
      .end()
  })
}
