import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js'
import type {
  MethodDefinition,
  ServiceDefinition,
  UntypedServiceImplementation,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js'

function method(
  name: string,
  requestStream = false,
  responseStream = false,
): MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer) => bytes
  return {
    path: `/test.Echo/${name}`,
    requestStream,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  }
}

/** The methods of the service that echo_server.py has, too. */
export const methods = {
  Unary: method('Unary'),
  Fail: method('Fail'),
  ServerStream: method('ServerStream', false, true),
  ClientStream: method('ClientStream', true, false),
  Bidi: method('Bidi', true, true),
  Wait: method('Wait'),
} satisfies ServiceDefinition

export interface EchoServer {
  port: number
  /** What is known of calls of Wait, in turn. */
  events: string[]
  close(): void
}

/** The service on a free port of the loopback, by grpc-js. */
export async function startEchoService(): Promise<EchoServer> {
  const events: string[] = []
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 })
  const trailing = () => {
    const metadata = new Metadata()
    metadata.set('x-trailer', 't')
    metadata.set('x-trailer-bin', Buffer.from([0, 255]))
    return metadata
  }
  const service: UntypedServiceImplementation = {
    Unary(call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      const sent = new Metadata()
      for (const key of ['x-text', 'x-data-bin'])
        for (const value of call.metadata.get(key)) sent.add(key, value)
      call.sendMetadata(sent)
      done(null, call.request, trailing())
    },
    Fail(_call: unknown, done: sendUnaryData<Buffer>) {
      const metadata = new Metadata()
      metadata.set('x-trailer', 't')
      done({ code: status.NOT_FOUND, details: 'ä 100 %', metadata })
    },
    ServerStream(call: ServerWritableStream<Buffer, Buffer>) {
      for (let n = 0; n < Number(call.request.toString()); n++) call.write(Buffer.from(String(n)))
      call.end()
    },
    ClientStream(call: ServerReadableStream<Buffer, Buffer>, done: sendUnaryData<Buffer>) {
      let bytes = 0
      call.on('data', (part: Buffer) => (bytes += part.length))
      call.on('end', () => done(null, Buffer.from(String(bytes))))
    },
    Bidi(call: ServerDuplexStream<Buffer, Buffer>) {
      call.on('data', (part: Buffer) => call.write(part)).on('end', () => call.end())
    },
    Wait(call: ServerUnaryCall<Buffer, Buffer>) {
      events.push('begun')
      call.on('cancelled', () => events.push('over'))
    },
  }
  server.addService(methods, service)
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  )
  return { port, events, close: () => server.forceShutdown() }
}
