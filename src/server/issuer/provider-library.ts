/**
 * `oidc-provider` by its inner modules: its front module, which re-exports them, prints "Unsupported runtime" on Node 20, where the
 * library works. The other ways to silence that line would touch what others print.
 */
export { Provider } from 'oidc-provider/lib/provider.js'
export { Check, Prompt, base as basePolicy } from 'oidc-provider/lib/helpers/interaction_policy/index.js'
export { InvalidClient, InvalidGrant, InvalidRequest, SessionNotFound } from 'oidc-provider/lib/helpers/errors.js'
