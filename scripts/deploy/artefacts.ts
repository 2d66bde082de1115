import { countOf } from "../../shared/text/count_of.ts";
import {
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import type { Print } from "./progress.ts";

/**
 * Uploads a file under the hash of its content, unless it exists: CloudFormation notices changed code by the new key.
 *
 * @returns The object's key.
 */
export async function uploadArtefact(
  s3: S3Client,
  Bucket: string,
  path: string,
  print: Print,
): Promise<string> {
  const bytes = await Deno.readFile(path);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 32);
  const file = path.split("/").at(-1)!;
  const Key = `${file.replace(/\.zip$/, "")}-${digest}.zip`;
  if (await objectExists(s3, Bucket, Key)) {
    print(`code ${file}: unchanged`);
    return Key;
  }
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: bytes }));
  print(`code ${file}: uploaded, ${(bytes.byteLength / 1e6).toFixed(1)} MB`);
  return Key;
}

/** Deletes all objects of a bucket, in all versions. */
export async function emptyBucket(s3: S3Client, Bucket: string, print: Print): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
    if (Objects.length === 0) return;
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    print(`bucket ${Bucket}: ${countOf(Objects.length, "object")} removed`);
  }
}

async function objectExists(s3: S3Client, Bucket: string, Key: string): Promise<boolean> {
  try {
    await s3.send(new HeadObjectCommand({ Bucket, Key }));
    return true;
  } catch (error) {
    if (error instanceof Error && /NotFound|NoSuchKey/.test(error.name)) return false;
    throw error;
  }
}
