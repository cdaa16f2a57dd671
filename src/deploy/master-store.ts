// TEMP

import { join } from 'node:path'
import { realEnvironment } from '../base/environment.ts'
import type { Log } from '../base/log.ts'
import type { Settings } from '../cluster/settings-table.ts'
import { JournalStore } from '../cluster/store/journal-store.ts'
import type { ClusterStore } from '../cluster/store/store.ts'

export interface MasterStoreOptions {
  readonly settings: Settings
  readonly log: Log
  readonly directory: string
  readonly host: string
  readonly port: number
}
export async function openMasterStore(
  o: MasterStoreOptions,
): Promise<{ store: ClusterStore; close: () => Promise<void> }> {
  const store = await JournalStore.open({
    directory: join(o.directory, 'store'),
    environment: realEnvironment,
    log: o.log,
  })
  return { store, close: () => store.close() }
}
