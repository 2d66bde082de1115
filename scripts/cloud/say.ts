/** Tells a person what happens, a line each. */
export type Say = (line: string) => void;
