import { fileURLToPath } from "node:url";
import { z } from "zod";
import { findDenoDir, provideEsbuild } from "../../scripts/build/esbuild.ts";
import { packBase, packDeno, run } from "./stand_ins.ts";
import { NO_NODE_MODULES } from "../../scripts/process/task_command.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BASE = "localhost/base";
const DENO = "localhost/deno";
/** Where the build expects Deno's cache. */
const DENO_DIR = "/deno-dir";
/** A proxy that refuses connections, so that only cached packages are used. */
const NO_PROXY = "http://127.0.0.1:1";

const CONFIG = z.object({
  User: z.string(),
  Env: z.array(z.string()),
  Entrypoint: z.array(z.string()),
  ExposedPorts: z.record(z.string(), z.object({})),
  Healthcheck: z.object({ Test: z.array(z.string()) }).optional(),
  StopSignal: z.string(),
});
/** Configuration of an image. */
export type ImageConfig = z.infer<typeof CONFIG>;

/** Fills Deno's cache with everything that the build uses; returns its folder. */
async function filledCache(): Promise<string> {
  const denoDir = await findDenoDir();
  await provideEsbuild(denoDir);
  const entries = ["scripts/compile.ts", "agent/main.ts", "server/main.ts"].map((path) => ROOT + path);
  await run(Deno.execPath(), ["install", "--quiet", NO_NODE_MODULES, "--entrypoint", ...entries]);
  return denoDir;
}

/** Images of a test, in their own store, which is removed with them. */
export class Images implements AsyncDisposable {
  private constructor(readonly dir: string) {}

  /** Creates the stand-ins for distroless and for Deno's image. */
  static async create(): Promise<Images> {
    const images = new Images(await Deno.makeTempDir({ prefix: "sallyport_images_" }));
    try {
      await packBase(images.dir);
      await images.#standIn(BASE, `FROM scratch\nADD base.tar /\nUSER 65532\n`);
      await packDeno(images.dir);
      const variables =
        `DENORT_BIN=/usr/bin/denort DENO_DIR=${DENO_DIR} HTTP_PROXY=${NO_PROXY} HTTPS_PROXY=${NO_PROXY}`;
      await images.#standIn(DENO, `FROM ${BASE}\nUSER 0\nADD deno.tar /\nENV ${variables}\n`);
      return images;
    } catch (error) {
      await images[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Builds a target of the project's Dockerfile, from the current files and without a network. */
  async build(target: string, commit: string): Promise<string> {
    const cache = await filledCache();
    const image = `localhost/${target}`;
    const values = { DENO_IMAGE: DENO, BASE_IMAGE: BASE, SOURCE_COMMIT: commit };
    await this.#bud([
      `--tag=${image}`,
      `--target=${target}`,
      ...Object.entries(values).map(([name, value]) => `--build-arg=${name}=${value}`),
      `--volume=${cache}:${DENO_DIR}:ro`,
      ROOT,
    ]);
    return image;
  }

  /** Configuration of an image. */
  async config(image: string): Promise<ImageConfig> {
    const { Docker } = JSON.parse(await this.#buildah(["inspect", "--type=image", image]));
    return CONFIG.parse(Docker.config);
  }

  /** Creates a container from an image; returns the folder of its root. */
  async root(image: string): Promise<string> {
    const container = (await this.#buildah(["from", "--pull-never", image])).trim();
    return (await this.#buildah(["mount", container])).trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#buildah(["rm", "--all"]);
    await Deno.remove(this.dir, { recursive: true });
  }

  async #standIn(image: string, dockerfile: string): Promise<void> {
    const file = `${this.dir}/Dockerfile`;
    await Deno.writeTextFile(file, dockerfile);
    await this.#bud([`--tag=${image}`, `--file=${file}`, this.dir]);
  }

  async #bud(args: readonly string[]): Promise<void> {
    const options = ["--isolation=chroot", "--format=docker", "--layers=false", "--pull-never"];
    await this.#buildah(["bud", ...options, ...args]);
  }

  #buildah(args: readonly string[]): Promise<string> {
    const store = ["--storage-driver=vfs", `--root=${this.dir}/store`, `--runroot=${this.dir}/run`];
    return run("buildah", [...store, ...args]);
  }
}
