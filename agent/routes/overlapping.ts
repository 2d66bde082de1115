import type { ScriptRule } from "./script_lists.ts";

/** Digits of an IPv4 address in base two. */
const IPV4_SIZE = 32;

/**
 * Those of `rules` that may cover what one of `others` covers too. A rule too many does no harm: ports are not looked
 * at, and since an IPv6 address may embed any IPv4 address, each rule about IPv4 is taken where there is one about IPv6.
 *
 * Names and addresses are trees, in which what two rules cover overlaps only where one contains the other. So it takes
 * time in proportion to the rules of both lists, not to their product.
 */
export function overlapping(rules: readonly ScriptRule[], others: readonly ScriptRule[]): ScriptRule[] {
  const [own, theirs] = [new Scopes(rules), new Scopes(others)];
  const around = new Set(others.flatMap((other) => own.containing(other)));
  const hasIPv6 = others.some(({ size }) => size !== undefined && size !== IPV4_SIZE);
  return rules.filter((rule) =>
    (hasIPv6 && rule.size === IPV4_SIZE) || around.has(scopeOf(rule)) || theirs.containing(rule).length > 0
  );
}

/** What a rule covers, as text. */
function scopeOf({ name, below, bits, size }: ScriptRule): string {
  return name ?? below ?? `${size}/${bits}`;
}

/** What the rules of a list cover. */
class Scopes {
  readonly #all: ReadonlySet<string>;
  /** Of addresses: a list has ranges of a few sizes only. */
  readonly #lengths: ReadonlySet<number>;

  constructor(rules: readonly ScriptRule[]) {
    this.#all = new Set(rules.map(scopeOf));
    this.#lengths = new Set(rules.filter(isRange).map((rule) => scopeOf(rule).length));
  }

  /** Those that contain what a rule covers. */
  containing(rule: ScriptRule): string[] {
    const scope = scopeOf(rule);
    const candidates = isRange(rule)
      ? [...this.#lengths].filter((length) => length <= scope.length).map((length) => scope.slice(0, length))
      : suffixes(scope);
    return candidates.filter((candidate) => this.#all.has(candidate));
  }
}

function isRange({ bits }: ScriptRule): boolean {
  return bits !== undefined;
}

/** A name, or what is below one, and all that is below the names above it. */
function suffixes(text: string): string[] {
  const found = [text];
  for (let dot = text.indexOf(".", 1); dot >= 0; dot = text.indexOf(".", dot + 1)) {
    found.push(text.slice(dot));
  }
  return found;
}
