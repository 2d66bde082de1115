/** How much a program can be told to log, from most to least. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@linkcode LOG_LEVELS}: that level and all after it are logged. */
export type LogLevel = typeof LOG_LEVELS[number];
