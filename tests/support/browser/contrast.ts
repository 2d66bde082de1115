/** An opaque colour: red, green and blue, 0 to 255. */
type Colour = readonly [number, number, number];

/**
 * The contrast ratio of WCAG 2.2, from 1 (invisible) to 21 (black on white). Level AA requires 4.5.
 *
 * @param color As a browser computed it, `rgb(…)` or `rgba(…)`.
 * @param background The same, opaque.
 * @param opacity Of the text, from 0 to 1. @default 1
 */
export function contrastRatio(color: string, background: string, opacity = 1): number {
  const behind = parse(background);
  if (behind.alpha !== 1) {
    throw new Error(`Cannot compute the contrast: the background is not opaque: ${background}`);
  }
  const { colour, alpha } = parse(color);
  const share = alpha * opacity;
  const seen = colour.map((part, i) => part * share + behind.colour[i]! * (1 - share)) as unknown as Colour;
  const [darker, lighter] = [luminance(seen), luminance(behind.colour)].sort((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}

function parse(text: string): { colour: Colour; alpha: number } {
  const numbers = /^rgba?\(([\d., ]+)\)$/.exec(text)?.[1]?.split(",").map(Number) ?? [];
  const [red, green, blue, alpha = 1] = numbers;
  if (red === undefined || green === undefined || blue === undefined) {
    throw new Error(`Cannot read the colour: ${text}`);
  }
  return { colour: [red, green, blue], alpha };
}

/** Relative luminance, from 0 to 1. */
function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
