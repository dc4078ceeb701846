/** Two 32-bit halves (MurmurHash3's mixing), seeded: who does not know the seed cannot choose texts that fall together. */
export function seededHash(text: string, seedLow: number, seedHigh: number): [low: number, high: number] {
  let low = seedLow | 0
  let high = seedHigh | 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    low = Math.imul(low ^ unit, 0x85eb_ca6b)
    low ^= low >>> 15
    high = Math.imul(high ^ unit, 0xc2b2_ae35)
    high ^= high >>> 13
  }
  return [mix(low ^ Math.imul(high, 0x9e37_79b1)), mix(high ^ Math.imul(low, 0x85eb_ca77))]
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
