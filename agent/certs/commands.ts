/** Implementation of the `certs` commands, loaded on demand: a running agent needs none of it. */
export { initCertificates as init } from "./init.ts";
export { issueCertificate as issue } from "./issue.ts";
export { renewCertificate as renew } from "./renew.ts";
export { renewList as crl, revokeCertificate as revoke } from "./revoke.ts";
export { showCertificates as show } from "./report/show.ts";
