/** What stands behind `certs`: loaded when it is asked for, since a running agent needs nothing of it. */
export { initCertificates as init } from "./init.ts";
export { issueCertificate as issue } from "./issue.ts";
export { renewCertificate as renew } from "./renew.ts";
export { renewList as crl, revokeCertificate as revoke } from "./revoke.ts";
export { showCertificates as show } from "./show.ts";
