/** Zones that between them do everything zones have done: both hemispheres, half hours, quarters, skipped midnights and dates. */
export const ZONES = [
  'UTC',
  'Europe/Madrid',
  'America/New_York',
  'Australia/Sydney',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'America/Sao_Paulo',
  'America/Goose_Bay',
  'Pacific/Apia',
  'Asia/Beirut',
  'Africa/Casablanca',
  'Asia/Gaza',
] as const
