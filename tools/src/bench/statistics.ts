/** The middle value; the mean of the two middle ones when the count is even. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Ratios of two contenders' figures round by round: the drift of a machine's speed cancels out. */
export function pairedRatios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.flatMap((value, round) => {
    const other = theirs[round]
    return other === undefined || !Number.isFinite(other) || !Number.isFinite(value) ? [] : [value / other]
  })
}
