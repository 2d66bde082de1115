import assert from "node:assert/strict";
import type { ImageConfig } from "./images.ts";
import { STAND_IN_FOLDER } from "./stand_ins.ts";

/**
 * Does what a container engine does for --read-only, --cap-drop ALL, --security-opt no-new-privileges, --network host
 * and a volume with the certificates. The mounts are visible to this process only and end with it. STAND_IN_FOLDER is
 * for the stand-in for denort only.
 */
const ENTER = `set -e
root=$1 certificates=$2 deno=$3 user=$4 command=$5
mount --bind "$root" "$root"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$certificates" "$root/certs"
mount -o remount,bind,ro "$root/certs"
mount -t tmpfs -o mode=1777 none "$root${STAND_IN_FOLDER}"
touch "$root${STAND_IN_FOLDER}/deno"
mount --bind "$deno" "$root${STAND_IN_FOLDER}/deno"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" $command
`;

/** The root of a container, ready to start programs with the settings of its image. */
export class Container {
  /** User and group of the image, as numbers. */
  readonly #user: string;

  private constructor(readonly root: string, readonly config: ImageConfig, user: string) {
    this.#user = user;
  }

  /** Creates the mount points. */
  static async create(root: string, config: ImageConfig): Promise<Container> {
    for (const folder of ["/certs", STAND_IN_FOLDER]) await Deno.mkdir(`${root}${folder}`);
    const users = await Deno.readTextFile(`${root}/etc/passwd`);
    const [, user] = new RegExp(`^${config.User}:x:(\\d+:\\d+):`, "m").exec(users) ?? [];
    assert.ok(user !== undefined, `the image has a user ${config.User}`);
    return new Container(root, config, user);
  }

  /**
   * Returns the command that starts a program in the container and is replaced by it.
   *
   * @param certificates Folder to mount at /certs.
   * @param env Variables in addition to those of the image; the program gets no others.
   * @param command Words without spaces.
   */
  command(certificates: string, env: Readonly<Record<string, string>>, command: readonly string[]): string[] {
    const variables = [...this.config.Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
    const given = [this.root, certificates, Deno.execPath(), this.#user, command.join(" ")];
    const sh = ["sh", "-c", ENTER, "sh", ...given];
    return ["unshare", "--mount", "env", "--ignore-environment", ...variables, ...sh];
  }
}
