import assert from "node:assert/strict";
import { denoBinary } from "./deno_binary.ts";

Deno.test({
  name: "a package that differs from deno.lock is refused, and nothing of it is unpacked",
  ignore: Deno.build.os === "windows",
  async fn() {
    const dir = await Deno.makeTempDir();
    const path = Deno.env.get("PATH")!;
    try {
      // A registry that has another package under the version that deno.lock pins.
      const npm = '#!/bin/sh\necho "another package" > deno.tgz\necho \'[{"filename":"deno.tgz"}]\'\n';
      const tar = `#!/bin/sh\ntouch '${dir}/unpacked'\n`;
      await Deno.writeTextFile(`${dir}/npm`, npm, { mode: 0o755 });
      await Deno.writeTextFile(`${dir}/tar`, tar, { mode: 0o755 });
      Deno.env.set("PATH", `${dir}:${path}`);
      await assert.rejects(
        denoBinary("arm64"),
        /Cannot use @deno\/linux-arm64-glibc@\S+: its integrity is sha512-\S+, deno\.lock says sha512-\S+$/,
      );
      await assert.rejects(Deno.stat(`${dir}/unpacked`), Deno.errors.NotFound);
    } finally {
      Deno.env.set("PATH", path);
      await Deno.remove(dir, { recursive: true });
    }
  },
});
