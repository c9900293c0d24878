import { type Command, Option } from 'commander'
import { type Config, nameFlag, readConfig, type Setting, settings } from '../config'

export type SettingKey = keyof typeof settings

/** Every setting, as `aggregraph serve` takes them. */
export const ALL_SETTINGS = Object.keys(settings) as readonly SettingKey[]

/** The settings that say which datasets a command works on, and where. */
export const DATABASE_SETTINGS = ['databaseUrl', 'datasets', 'schema', 'data', 'logLevel'] as const

function optionOf(setting: Setting): Option {
  const facts = [setting.name, ...(setting.default ? [`default ${setting.default}`] : [])].join('; ')
  return new Option(`${nameFlag(setting)} <value>`, `${setting.description} (${facts})`)
}

/** Adds a flag for each setting; the help says which variable it stands for. */
export function addSettings(command: Command, keys: readonly SettingKey[]): Command {
  for (const key of keys) command.addOption(optionOf(settings[key]))
  return command
}

/**
 * The settings in force for a command: its flags, then the environment, then the defaults.
 *
 * @throws ConfigurationError with every fault.
 */
export function readSettings(command: Command, env: Readonly<Record<string, string | undefined>>): Config {
  const given = command.opts<Readonly<Record<string, string | undefined>>>()
  const flags = Object.values(settings).map((each) => [each.name, given[optionOf(each).attributeName()]])
  return readConfig(env, Object.fromEntries(flags))
}
