/** The environment variables that Countersign or a service it talks to reads, apart from those that set flags. */

/** What is known about a variable. */
export interface EnvironmentVariable {
  readonly name: string
  /** Continues a sentence that begins with the name. */
  readonly description: string
  /** What the value should be. */
  readonly expects: string
  /** Not printed unless asked for. */
  readonly sensitive?: true
}

/** The variables that `cosign env` lists, in its order. */
export const sigstoreVariables: readonly EnvironmentVariable[] = [
  secret('ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'authorises the request for an identity token in GitHub Actions', 'a bearer token'),
  variable('ACTIONS_ID_TOKEN_REQUEST_URL', 'is where GitHub Actions hands out identity tokens', 'a URL'),
  secret('BUILDKITE_AGENT_ACCESS_TOKEN', 'authorises the request for an identity token in Buildkite', 'an access token'),
  variable('BUILDKITE_AGENT_ENDPOINT', 'is where the Buildkite agent is reached', 'a URL (https://agent.buildkite.com/v3 by default)'),
  variable(
    'BUILDKITE_AGENT_LOG_LEVEL',
    'sets how much the Buildkite agent logs',
    'debug, notice, info, error, warn or fatal (notice by default)',
  ),
  variable('BUILDKITE_JOB_ID', 'is the Buildkite job that the identity token is about', 'a job ID'),
  variable(
    'COSIGN_DOCKER_MEDIA_TYPES',
    'stores signatures for registries that do not know OCI media types',
    '1 to use Docker media types (0 by default)',
  ),
  variable('COSIGN_EXPERIMENTAL', 'allows --registry-referrers-mode oci-1-1', '1 to allow it (0 by default)'),
  variable(
    'COSIGN_MAX_ATTACHMENT_SIZE',
    'limits what is read from a registry or a file in one piece',
    'a size such as 5120, 20K, 3M, 45MiB or 1GB (128MiB by default)',
  ),
  secret('COSIGN_PASSWORD', 'is the password of the private key', 'a password (asked for by default)'),
  variable('COSIGN_PKCS11_IGNORE_CERTIFICATE', 'leaves the certificates on a PKCS#11 token alone', '1 to ignore them (0 by default)'),
  variable('COSIGN_PKCS11_MODULE_PATH', 'is the PKCS#11 library', 'a path'),
  secret('COSIGN_PKCS11_PIN', 'is the PIN of the PKCS#11 token when its URI has none', 'a PIN'),
  variable('COSIGN_REPOSITORY', 'keeps signatures in another repository than the image', 'a repository'),
  variable('GITHUB_HOST', 'is the GitHub Enterprise server', 'a URL'),
  secret('GITHUB_TOKEN', 'authorises requests to GitHub', 'a token made by GitHub'),
  variable('GITLAB_HOST', 'is the GitLab server', 'a URL'),
  secret('GITLAB_TOKEN', 'authorises requests to GitLab', 'a token'),
  variable('GOOGLE_SERVICE_ACCOUNT_NAME', 'is the service account to sign as', 'the name of a service account'),
  variable('SIGSTORE_CT_LOG_PUBLIC_KEY_FILE', 'replaces the keys of the certificate transparency logs', 'a path to a public key'),
  secret('SIGSTORE_ID_TOKEN', 'is the identity token that certificates are asked for with', 'an OIDC token'),
  variable('SIGSTORE_REKOR_PUBLIC_KEY', 'replaces the keys of the transparency logs', 'a path to a public key'),
  variable('SIGSTORE_ROOT_FILE', 'replaces the certificate authorities', 'a path to certificates in PEM'),
  variable('SIGSTORE_TSA_CERTIFICATE_FILE', 'replaces the timestamp authorities', 'a path to a certificate chain in PEM, leaf first'),
  variable(
    'SOURCE_DATE_EPOCH',
    'is the time of creation to write instead of the present one, see https://reproducible-builds.org/docs/source-date-epoch/',
    'seconds since 1970-01-01',
  ),
  variable('SPIFFE_ENDPOINT_SOCKET', 'is the socket of the SPIFFE workload API', 'a path'),
  variable('TUF_MIRROR', 'is where trust material is downloaded from, together with TUF_ROOT_JSON', 'a URL'),
  variable('TUF_ROOT', 'is the directory in which trust material is cached', 'a path'),
  variable('TUF_ROOT_JSON', 'is the first TUF root to trust, together with TUF_MIRROR', 'a path to root.json'),
]

/** Further variables, which `cosign env` does not list. */
export const otherVariables: readonly EnvironmentVariable[] = [
  variable('AWS_ACCESS_KEY_ID', 'is the access key for AWS KMS', 'an access key ID'),
  variable('AWS_DEFAULT_REGION', 'is the region of AWS KMS where AWS_REGION is not set', 'the name of a region'),
  variable('AWS_ENDPOINT_URL', 'is where AWS KMS is reached', 'a URL (the one of the region by default)'),
  variable('AWS_ENDPOINT_URL_KMS', 'is where AWS KMS alone is reached', 'a URL (AWS_ENDPOINT_URL by default)'),
  variable('AWS_PROFILE', 'is the profile for AWS KMS', 'the name of a profile'),
  variable('AWS_REGION', 'is the region of AWS KMS', 'the name of a region'),
  variable(
    'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED',
    "keeps the AWS SDK's notices about versions of Node to itself",
    'true or false (true by default)',
  ),
  secret('AWS_SECRET_ACCESS_KEY', 'is the secret of that access key', 'a secret access key'),
  secret('AWS_SESSION_TOKEN', 'completes temporary AWS credentials', 'a session token'),
  variable('AWS_TLS_INSECURE_SKIP_VERIFY', 'accepts any certificate of an AWS KMS endpoint', '1 to accept it (0 by default)'),
  variable('AZURE_AUTHORITY_HOST', 'is where the sign-in to Azure takes place', 'a URL (that of AZURE_ENVIRONMENT by default)'),
  variable('AZURE_CLIENT_ID', 'is the application to sign in to Azure as', 'a client ID'),
  secret('AZURE_CLIENT_SECRET', 'is the secret of that application', 'a client secret'),
  variable('AZURE_ENVIRONMENT', 'is the Azure cloud', 'AZURECLOUD, AZUREUSGOVERNMENT or AZURECHINACLOUD (AZURECLOUD by default)'),
  variable('AZURE_TENANT_ID', 'is the Azure tenant', 'a tenant ID'),
  variable('BAO_ADDR', 'is the OpenBao server', 'a URL'),
  variable('BAO_NAMESPACE', 'is the namespace of OpenBao', 'a path'),
  secret('BAO_TOKEN', 'authorises requests to OpenBao', 'a token'),
  variable('BROWSER', 'is the program that opens the page to sign in on', 'a path (the browser of the system by default)'),
  secret('CIRCLE_OIDC_TOKEN', 'is the identity token of a CircleCI job, where there is none of the second version', 'an OIDC token'),
  secret('CIRCLE_OIDC_TOKEN_V2', 'is the identity token of a CircleCI job', 'an OIDC token'),
  variable(
    'CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS',
    'is where Google Cloud gives tokens of an account that is impersonated',
    'a URL (https://iamcredentials.googleapis.com by default)',
  ),
  variable('CLOUDSDK_CONFIG', 'is the folder of the configuration of gcloud, with its credentials', 'a path (~/.config/gcloud by default)'),
  variable('COUNTERSIGN_DEBUG', 'prints a stack trace with an error', '1 to print it (0 by default)'),
  secret('COUNTERSIGN_SERVER_PASSPHRASE', 'opens the encrypted keys of a server', 'a passphrase'),
  variable('DOCKER_CONFIG', 'is the directory of the Docker configuration, with the credentials of registries', 'a path'),
  variable('GCE_METADATA_HOST', 'is where a Google Cloud machine gets its identity token', 'a host (metadata.google.internal by default)'),
  variable('GOOGLE_APPLICATION_CREDENTIALS', 'holds the credentials for Google Cloud', 'a path'),
  secret('HTTPS_PROXY', 'is the proxy for https requests', 'a URL'),
  secret('HTTP_PROXY', 'is the proxy for http requests', 'a URL'),
  variable('KUBECONFIG', 'is the configuration of the Kubernetes client', 'a path to a file (~/.kube/config by default)'),
  variable('NODE_EXTRA_CA_CERTS', 'holds further certificate authorities for https', 'a path to certificates in PEM'),
  variable('NO_PROXY', 'names the hosts that are reached without a proxy', 'a list separated by commas'),
  variable('REGISTRY_AUTH_FILE', 'holds the credentials of registries', 'a path'),
  variable('SIGSTORE_NO_CACHE', 'keeps no trust material on disk', 'true to keep none (false by default)'),
  variable('SSL_CERT_DIR', 'holds the certificate authorities for https', 'a path to a directory'),
  variable('SSL_CERT_FILE', 'holds the certificate authorities for https', 'a path to certificates in PEM'),
  variable('TRANSIT_SECRET_ENGINE_PATH', 'is where the transit engine of Vault or OpenBao is mounted', 'a path (transit by default)'),
  variable('VAULT_ADDR', 'is the HashiCorp Vault server', 'a URL'),
  variable('VAULT_CACERT', 'holds the certificate authority of the Vault server', 'a path to certificates in PEM'),
  variable('VAULT_NAMESPACE', 'is the namespace of Vault', 'a path'),
  secret('VAULT_TOKEN', 'authorises requests to Vault', 'a token'),
]

function variable(name: string, description: string, expects: string): EnvironmentVariable {
  return { name, description, expects }
}

function secret(name: string, description: string, expects: string): EnvironmentVariable {
  return { name, description, expects, sensitive: true }
}
