// What a case saw: figures to print, and sentences about what was not as promised. No sentence: the case is ok.

export type Figure = number | string

export class Findings {
  readonly measured: Record<string, Figure> = {}
  readonly failures: string[] = []

  note(name: string, figure: Figure): void {
    this.measured[name] = typeof figure === 'number' ? rounded(figure) : figure
  }

  expect(ok: boolean, otherwise: string): void {
    if (!ok) this.failures.push(otherwise)
  }

  /** Notes a figure and its bound in one. */
  atMost(name: string, figure: number, bound: number): void {
    this.note(name, figure)
    this.expect(figure <= bound, `${name} is ${rounded(figure)}, more than ${bound}`)
  }

  atLeast(name: string, figure: number, bound: number): void {
    this.note(name, figure)
    this.expect(figure >= bound, `${name} is ${rounded(figure)}, less than ${bound}`)
  }
}

function rounded(figure: number): number {
  const places = Math.abs(figure) < 10 ? 2 : Math.abs(figure) < 100 ? 1 : 0
  return Number(figure.toFixed(places))
}
