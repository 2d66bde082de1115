import { SallyportError } from "../../../shared/errors.ts";
import { daysLeft, expiriesOf, nearnessOf } from "../../../shared/tls/expiry.ts";
import { type FaultKind, faultOf } from "../../../shared/tls/fault.ts";
import { type Identity, loadIdentity } from "../../../shared/tls/identity.ts";
import { subjectOf } from "../../../shared/tls/subject.ts";
import { fail, pass } from "../finding.ts";
import type { Step } from "../step.ts";

const DATES: readonly (FaultKind | undefined)[] = ["expired", "not_yet_valid", "issuer_dates"];

/** Are the agent's certificate, key and CA there, do they fit, and are they good at this time? */
export const certificate: Step = {
  name: "certificate",
  needs: ["configuration"],
  async look(found) {
    try {
      const identity = found.identity = await loadIdentity(found.config.identity, "clientAuth");
      const leaf = identity.chain[0]!;
      const [first] = expiriesOf(identity).sort((a, b) => a.end.getTime() - b.end.getTime());
      const now = Date.now();
      const left = `${daysLeft(first!.end, now)} days`;
      const warning = nearnessOf(first!, now) === "far"
        ? ""
        : `: the ${first!.what} ends soon, have it renewed`;
      const issuer = leaf.issuer.replaceAll("\n", ", ");
      return pass(
        `${subjectOf(leaf)}, issued by ${issuer}, its key fits, good for ${left}${warning}${
          listsOf(identity)
        }`,
      );
    } catch (error) {
      const { message } = SallyportError.from(error);
      const fault = faultOf(error);
      const isDates = DATES.includes(fault?.kind);
      return fail(isDates ? "certificate_dates" : "certificate", message, fault?.validity);
    }
  },
};

/** What crl_file says; the server has a list of its own, which decides. */
function listsOf({ revocation, revoked }: Identity): string {
  const lists = revocation?.byAuthority ?? [];
  const own = revoked === undefined ? "" : `; crl_file revokes the agent's own certificate: it ${revoked}`;
  return own +
    lists.map(({ issuer, entries, nextUpdate }) =>
      `; revocation list of ${issuer}: ${entries} entries, next update ${nextUpdate.toISOString()}`
    ).join("");
}
