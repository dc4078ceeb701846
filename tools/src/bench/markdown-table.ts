/** A Markdown table as prettier writes it. A title that begins with `>` makes its column align to the right. */
export function formatTable(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const isRight = titles.map((title) => title.startsWith('>'))
  const header = titles.map((title) => title.replace(/^>/, ''))
  const widths = header.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => pad(cells[column] ?? '', width, isRight[column]!)).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (isRight[column] ? '-'.repeat(width - 1) + ':' : '-'.repeat(width))).join(' | ')} |`
  return [line(header), rule, ...rows.map(line)].join('\n')
}

function pad(text: string, width: number, isRight: boolean): string {
  return isRight ? text.padStart(width) : text.padEnd(width)
}
