/** The middle value; the mean of the two middle ones when the count is even. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Ratios of two contenders' figures round by round: the drift of a machine's speed cancels out. */
export function pairedRatios(ours: readonly Figure[], theirs: readonly Figure[]): number[] {
  return ours.flatMap((value, round) => {
    const other = theirs[round]
    return value == null || other == null || other === 0 ? [] : [value / other]
  })
}

/** What one round gave; null when its run is void. */
export type Figure = number | null

/** The figures of the rounds that count. */
export function valid(figures: readonly Figure[]): number[] {
  return figures.filter((figure) => figure !== null)
}

/** The values in another order each round, so that none always follows the same neighbour. */
export function rotated<Value>(values: readonly Value[], by: number): Value[] {
  const start = values.length === 0 ? 0 : by % values.length
  return [...values.slice(start), ...values.slice(0, start)]
}
