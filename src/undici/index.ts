// Entry point `zerotrip/undici`: needs the package undici, which zerotrip itself does not.

export { H3Agent, type H3AgentOptions } from './h3-agent.ts'
