/** Java ends the remarks of common beginner's errors with this. */
export const FAQ_HINT = '\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.'
