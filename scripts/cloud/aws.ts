import { CloudFormationClient } from "@aws-sdk/client-cloudformation";
import { ECRClient } from "@aws-sdk/client-ecr";
import { ECSClient } from "@aws-sdk/client-ecs";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

/** The account that is deployed to. */
export interface Account {
  readonly id: string;
  readonly region: string;
  readonly cloudFormation: CloudFormationClient;
  readonly ecr: ECRClient;
  readonly ecs: ECSClient;
  readonly iam: IAMClient;
  readonly s3: S3Client;
  readonly ssm: SSMClient;
}

/** Where to find credentials, and which region to use, where that is said. */
export interface AccountOptions {
  /** @default {AWS_REGION, or the profile's} */
  readonly region?: string | undefined;
  /** A profile of ~/.aws. @default {AWS_PROFILE, or what else there is} */
  readonly profile?: string | undefined;
}

const SETUP = "set up the AWS command line (aws configure, or aws sso login), or name a --profile";

/**
 * Signs in.
 * @throws {Error} That says what is missing: credentials, or a region.
 */
export async function signIn({ region, profile }: AccountOptions): Promise<Account> {
  // All clients, and what they start to get credentials, look here.
  if (profile !== undefined) Deno.env.set("AWS_PROFILE", profile);
  if (region !== undefined) Deno.env.set("AWS_REGION", region);
  const sts = new STSClient({});
  const found = await sts.config.region().catch(() => undefined);
  if (found === undefined) throw new Error("Cannot sign in to AWS: no region is known; name a --region");
  try {
    const { Account: id } = await sts.send(new GetCallerIdentityCommand({}));
    return {
      id: id ?? "",
      region: found,
      cloudFormation: new CloudFormationClient({}),
      ecr: new ECRClient({}),
      ecs: new ECSClient({}),
      iam: new IAMClient({}),
      s3: new S3Client({}),
      ssm: new SSMClient({}),
    };
  } catch (cause) {
    throw new Error(`Cannot sign in to AWS in ${found}: ${reasonOf(cause)}; ${SETUP}`, { cause });
  }
}

/** What an error says, and its name where that says more. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "Error" || error.message.includes(error.name)
    ? error.message
    : `${error.name}: ${error.message}`;
}
