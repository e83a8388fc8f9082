/** The form of Fulcio's configuration file, with the names of its keys. */
import { z } from 'zod'

const text = z.string().min(1).max(4_096)

const issuer = z.strictObject({
  'issuer-url': text.optional(),
  'client-id': text.default('sigstore'),
  type: z.enum([
    'email',
    'uri',
    'username',
    'spiffe',
    'kubernetes',
    'ci-provider',
    'chainguard-identity',
    'github-workflow',
    'gitlab-pipeline',
    'buildkite-job',
    'codefresh-workflow',
  ]),
  'issuer-claim': z
    .string()
    .regex(/^\$(\.[A-Za-z0-9_-]+)+$/, 'a path of claims such as $.federated_claims.connector_id')
    .optional(),
  'subject-domain': text.optional(),
  'spiffe-trust-domain': z
    .string()
    .regex(/^[a-z0-9._-]{1,255}$/, 'a SPIFFE trust domain')
    .optional(),
  'ci-provider': text.optional(),
  'ca-cert': z.string().max(100_000).optional(),
  contact: z.string().max(4_096).optional(),
  description: z.string().max(4_096).optional(),
  'challenge-claim': z.enum(['email', 'sub']).optional(),
  'skip-email-verification': z.boolean().default(false),
  /** Where Fulcio's own deployments have this issuer; it decides nothing. */
  environment: z.string().max(4_096).optional(),
  /** Ours: further hosts that the issuer's keys may be fetched from. */
  'key-hosts': z
    .array(z.string().regex(/^[a-z0-9.-]+(:[0-9]{1,5})?$/, 'a host name, perhaps with a port'))
    .max(16)
    .default([]),
})

const provider = z.strictObject({
  'default-template-values': z.record(z.string(), z.string()).default({}),
  'extension-templates': z.record(z.string(), z.string()).default({}),
  'subject-alternative-name-template': text,
})

/** The whole document. */
export const configurationSchema = z.strictObject({
  /** Fulcio's own configuration has its YAML anchors here. */
  define: z.unknown().optional(),
  'oidc-issuers': z.record(z.string(), issuer).default({}),
  'meta-issuers': z.record(z.string(), issuer).default({}),
  'ci-issuer-metadata': z.record(z.string(), provider).default({}),
})

/** One issuer as the file has it. */
export type IssuerYaml = z.output<typeof issuer>

/** One provider of `ci-issuer-metadata` as the file has it. */
export type ProviderYaml = z.output<typeof provider>
