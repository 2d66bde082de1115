import type { Address } from "./address.ts";
import { normalHostName } from "../../net/host_name.ts";
import { parseRule, type TargetRule } from "./rule.ts";

/** The rules of one configuration key; the first that matches counts. */
export class RuleList {
  readonly rules: readonly TargetRule[];
  readonly #names: NameIndex;
  /** The rules for addresses, in order. */
  readonly #ranges: readonly TargetRule[];

  /**
   * @param entries As {@linkcode parseRule} takes them.
   * @param key The configuration key, for messages.
   * @throws SallyportError `bad_request` for an entry that cannot be read.
   */
  constructor(entries: readonly string[], key: string) {
    this.rules = entries.map((text, i) => parseRule(text, `${key}[${i}]`));
    this.#names = new NameIndex(this.rules);
    this.#ranges = this.rules.filter(({ covers }) => covers.kind === "range");
  }

  /** The rule that covers a host by its name, in whatever form the name is written. */
  byName(host: string, port: number): TargetRule | undefined {
    const name = normalHostName(host);
    return name === undefined ? undefined : this.#names.find(name, port);
  }

  /** The rule that covers one of these addresses, which are forms of the same address. */
  byAddress(forms: readonly Address[], port: number): TargetRule | undefined {
    return this.#ranges.find((rule) => forms.some((form) => rule.matchesAddress(form, port)));
  }
}

/**
 * An index of the rules for names. A lookup takes as many steps as the name has labels, not as there are rules: a
 * list of blocked names may have a hundred thousand, and every request looks one up.
 */
class NameIndex {
  readonly #rules: readonly TargetRule[];
  /** Positions in the list: by `wiki.example`, `.example` for all names below it, and each with `:80` for one port. */
  readonly #first = new Map<string, number>();

  /** @param rules Rules of any kind; those for addresses are skipped. */
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

  /** Infinity if there is none. */
  #placeOf(key: string, port: number): number {
    return Math.min(this.#first.get(key) ?? Infinity, this.#first.get(`${key}:${port}`) ?? Infinity);
  }
}
