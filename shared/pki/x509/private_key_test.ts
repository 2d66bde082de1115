import assert from "node:assert/strict";
import { keyModeWarning } from "./private_key.ts";

Deno.test({
  name: "keyModeWarning warns about a key that others can access, with the command to change that",
  ignore: Deno.build.os === "windows",
  async fn() {
    const dir = await Deno.makeTempDir();
    try {
      const path = `${dir}/a key`;
      await Deno.writeTextFile(path, "");
      for (
        const [mode, isLoose] of [[0o600, false], [0o400, false], [0o640, true], [0o604, true], [
          0o620,
          true,
        ]] as const
      ) {
        await Deno.chmod(path, mode);
        const shown = `0${mode.toString(8)}`;
        const text = `the private key ${path} is open to other users (mode ${shown}): chmod 600 '${path}'`;
        assert.equal(await keyModeWarning(path), isLoose ? text : undefined);
      }
      assert.equal(await keyModeWarning(`${dir}/none`), undefined);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});
