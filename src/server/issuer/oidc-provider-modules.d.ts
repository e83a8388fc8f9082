// The inner modules of oidc-provider, which its published types leave out.

declare module 'oidc-provider/lib/provider.js' {
  export { default as Provider } from 'oidc-provider'
}

declare module 'oidc-provider/lib/helpers/errors.js' {
  import type { errors } from 'oidc-provider'
  type Errors = typeof errors
  export const InvalidClient: Errors['InvalidClient']
  export const InvalidGrant: Errors['InvalidGrant']
  export const InvalidRequest: Errors['InvalidRequest']
  export const SessionNotFound: Errors['SessionNotFound']
}

declare module 'oidc-provider/lib/helpers/interaction_policy/index.js' {
  import type { interactionPolicy } from 'oidc-provider'
  type Policy = typeof interactionPolicy
  export const base: Policy['base']
  export const Check: Policy['Check']
  export const Prompt: Policy['Prompt']
}
