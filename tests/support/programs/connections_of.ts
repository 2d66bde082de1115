/**
 * The connections that a listener accepts, until it is closed. A connection that its client closed before it was
 * accepted has no address, and Deno's own iteration would end with that error.
 */
export async function* connectionsOf(listener: Deno.TcpListener): AsyncGenerator<Deno.TcpConn> {
  for (;;) {
    try {
      yield await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.NotConnected) continue;
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      throw error;
    }
  }
}
