import type { Address } from "./address.ts";
import { normalName } from "./name.ts";
import { NameIndex } from "./name_index.ts";
import { parseRule, type TargetRule } from "./rule.ts";

/** The rules of one configuration key; the first that fits counts. */
export class RuleList {
  readonly rules: readonly TargetRule[];
  readonly #names: NameIndex;
  /** Those about addresses, in their order. */
  readonly #ranges: readonly TargetRule[];

  /**
   * @param entries As {@linkcode parseRule} reads them.
   * @param key The configuration key, for messages.
   * @throws SallyportError `bad_request` for an entry that cannot be read.
   */
  constructor(entries: readonly string[], key: string) {
    this.rules = entries.map((text, i) => parseRule(text, `${key}[${i}]`));
    this.#names = new NameIndex(this.rules);
    this.#ranges = this.rules.filter(({ covers }) => covers.kind === "range");
  }

  /** The rule that covers a host by its name, which may be written in any way; found without a search. */
  byName(host: string, port: number): TargetRule | undefined {
    const name = normalName(host);
    return name === undefined ? undefined : this.#names.find(name, port);
  }

  /** The rule that covers one of these addresses, which are forms of the same. */
  byAddress(forms: readonly Address[], port: number): TargetRule | undefined {
    return this.#ranges.find((rule) => forms.some((form) => rule.matchesAddress(form, port)));
  }
}
