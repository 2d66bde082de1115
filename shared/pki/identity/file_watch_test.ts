import assert from "node:assert/strict";
import { eventually } from "../../../tests/support/eventually.ts";
import { ManualClock } from "../../../tests/support/manual_clock.ts";
import { FileWatch } from "./file_watch.ts";

const INTERVAL = 1_000;

/** A directory with files, and a watch over some of them. */
class Watched implements AsyncDisposable {
  readonly clock = new ManualClock();
  changes = 0;
  #watch: FileWatch | undefined;

  private constructor(readonly dir: string) {}

  static async make(): Promise<Watched> {
    return new Watched(await Deno.makeTempDir());
  }

  async watch(...names: string[]): Promise<void> {
    const files = names.map((name) => `${this.dir}/${name}`);
    const onChange = () => void this.changes++;
    this.#watch = new FileWatch({ files, clock: this.clock, intervalMs: INTERVAL, onChange });
    await this.#watch.start();
  }

  /** Runs that many checks. */
  async looks(count: number): Promise<void> {
    for (let look = 0; look < count; look++) {
      this.clock.advance(INTERVAL);
      await eventually("the next check is scheduled", () => assert.equal(this.clock.timers, 1));
    }
  }

  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.dir}/${name}`, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch?.stop();
    assert.equal(this.clock.timers, 0);
    await Deno.remove(this.dir, { recursive: true });
  }
}

Deno.test("FileWatch reports a file written in place once", async () => {
  await using watched = await Watched.make();
  await watched.write("a", "old");
  await watched.watch("a");
  await watched.looks(3);
  assert.equal(watched.changes, 0);
  await watched.write("a", "new");
  await watched.looks(2);
  assert.equal(watched.changes, 1);
  await watched.looks(3);
  assert.equal(watched.changes, 1);
});

Deno.test("FileWatch detects a file replaced by a rename, of the same size and time", async () => {
  await using watched = await Watched.make();
  await watched.write("a", "old");
  await watched.watch("a");
  await watched.write("b", "new");
  const { mtime, atime } = await Deno.stat(`${watched.dir}/a`);
  await Deno.utime(`${watched.dir}/b`, atime!, mtime!);
  await Deno.rename(`${watched.dir}/b`, `${watched.dir}/a`);
  await watched.looks(2);
  assert.equal(watched.changes, 1);
});

Deno.test("FileWatch detects a swapped link to a directory, as Kubernetes swaps it", async () => {
  await using watched = await Watched.make();
  const { dir } = watched;
  for (const version of ["..1", "..2"]) {
    await Deno.mkdir(`${dir}/${version}`);
    await watched.write(`${version}/a`, "same");
  }
  await Deno.symlink("..1", `${dir}/..data`);
  await Deno.symlink("..data/a", `${dir}/a`);
  await watched.watch("a");
  await Deno.symlink("..2", `${dir}/..new`);
  await Deno.rename(`${dir}/..new`, `${dir}/..data`);
  await Deno.remove(`${dir}/..1`, { recursive: true });
  await watched.looks(2);
  assert.equal(watched.changes, 1);
});

Deno.test("FileWatch waits until a set of files is written, but not forever", async () => {
  await using watched = await Watched.make();
  for (const name of ["a", "b"]) await watched.write(name, "old");
  await watched.watch("a", "b");
  await watched.write("a", "new");
  await watched.looks(1);
  await watched.write("b", "new");
  await watched.looks(1);
  assert.equal(watched.changes, 0);
  await watched.looks(1);
  assert.equal(watched.changes, 1);
  for (const text of ["1", "12", "123"]) {
    await watched.write("a", text);
    await watched.looks(1);
  }
  assert.equal(watched.changes, 2);
});

Deno.test("FileWatch detects a file that disappears and comes back", async () => {
  await using watched = await Watched.make();
  await watched.write("a", "text");
  await watched.watch("a");
  await Deno.rename(`${watched.dir}/a`, `${watched.dir}/b`);
  await watched.looks(2);
  assert.equal(watched.changes, 1);
  await Deno.rename(`${watched.dir}/b`, `${watched.dir}/a`);
  await watched.looks(2);
  assert.equal(watched.changes, 2);
});

Deno.test("FileWatch without files sets no timer", async () => {
  await using watched = await Watched.make();
  await watched.watch();
  assert.equal(watched.clock.timers, 0);
});
