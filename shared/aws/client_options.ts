/**
 * How AWS is called: a call that hangs is given up early enough for another attempt within the 15 s that a
 * function has.
 */
export const CLIENT_OPTIONS = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1_500, requestTimeout: 4_000, throwOnRequestTimeout: true },
};
