import { defineConfig } from 'vitest/config'

// Files run one after another because they share the identity provider.
export default defineConfig({ test: { globalSetup: './idp.setup.js', fileParallelism: false } })
