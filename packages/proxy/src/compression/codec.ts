import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib'
import type { Compression } from '@havn/model'
import type { BodyCodec } from '../response/response-filter.ts'

/** Brotli's window, as a power of two: the default of 4 MiB would be held for each response at once. */
const BROTLI_WINDOW_BITS = 19

/** @param bytes the body's length where it is known: it then comes as a whole, and is not flushed on the way. */
export function createCodec(
  name: Compression['encodings'][number],
  levels: Compression['levels'],
  bytes: number | null,
): BodyCodec {
  const stream = createStream(name, levels, bytes)
  return bytes === null ? { stream, flush: (done) => stream.flush(done) } : { stream }
}

function createStream(
  name: Compression['encodings'][number],
  levels: Compression['levels'],
  bytes: number | null,
) {
  if (name === 'gzip') return createGzip({ level: levels.gzip, flush: constants.Z_NO_FLUSH })
  if (name === 'zstd') {
    return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: levels.zstd } })
  }
  return createBrotliCompress({
    params: {
      [constants.BROTLI_PARAM_QUALITY]: levels.br,
      [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
      ...(bytes !== null && { [constants.BROTLI_PARAM_SIZE_HINT]: Math.min(bytes, 2 ** 30) }),
    },
  })
}
