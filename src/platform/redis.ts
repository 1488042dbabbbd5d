// What is asked of a Redis client: the `redis` package's, or any that sends a command as a list of strings.

export interface RedisCommands {
  sendCommand(args: string[]): Promise<unknown>
}

/** Keys begin with this, unless said otherwise. */
export const REDIS_PREFIX: string = 'zerotrip'
