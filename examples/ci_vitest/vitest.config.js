import { defineConfig } from 'vitest/config'

// One file after the other: a rotation or an outage is everybody's.
export default defineConfig({ test: { globalSetup: './idp.setup.js', fileParallelism: false } })
