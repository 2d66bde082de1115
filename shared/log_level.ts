/** Log levels, from most to least verbose. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@linkcode LOG_LEVELS}: lines of this level and of all after it are logged. */
export type LogLevel = typeof LOG_LEVELS[number];
