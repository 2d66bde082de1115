import type { TargetRule } from "./rule.ts";

/**
 * The rules of a list that are about names, found in steps that count a name's labels and not the rules: a list of
 * blocked names may have a hundred thousand, and every request asks.
 */
export class NameIndex {
  readonly #rules: readonly TargetRule[];
  /** Places in the list: by `wiki.example`, `.example` for what is below it, and each with `:80` for one port. */
  readonly #first = new Map<string, number>();

  /** @param rules Those of any kind; what is not about a name is left out. */
  constructor(rules: readonly TargetRule[]) {
    this.#rules = rules;
    rules.forEach(({ covers, port }, place) => {
      if (covers.kind === "range") return;
      const name = covers.kind === "below" ? `.${covers.name}` : covers.name;
      const key = port === undefined ? name : `${name}:${port}`;
      if (!this.#first.has(key)) this.#first.set(key, place);
    });
  }

  /** The first rule of the list that covers a name in normal form. */
  find(name: string, port: number): TargetRule | undefined {
    let first = this.#placeOf(name, port);
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      first = Math.min(first, this.#placeOf(name.slice(dot), port));
    }
    return this.#rules[first];
  }

  /** Infinity where there is none. */
  #placeOf(key: string, port: number): number {
    return Math.min(this.#first.get(key) ?? Infinity, this.#first.get(`${key}:${port}`) ?? Infinity);
  }
}
