/** The version of Sallyport that this is: what `--version` prints and `hello` tells the peer. */
export const VERSION = "0.1.0";
