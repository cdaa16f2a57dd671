// The methods of Nimbus that are the blob store's.
import type { Handlers } from '../thrift/service.ts'
import type { nimbusMethods } from '../thrift/storm-nimbus.ts'
import type { BlobStore } from './blob-store.ts'

type All = Handlers<typeof nimbusMethods, unknown>
export type BlobMethods = Pick<
  All,
  | 'beginCreateBlob'
  | 'beginUpdateBlob'
  | 'uploadBlobChunk'
  | 'finishBlobUpload'
  | 'cancelBlobUpload'
  | 'getBlobMeta'
  | 'setBlobMeta'
  | 'beginBlobDownload'
  | 'downloadBlobChunk'
  | 'deleteBlob'
  | 'listBlobs'
  | 'getBlobReplication'
  | 'updateBlobReplication'
  | 'createStateInZookeeper'
  | 'isRemoteBlobExists'
>

export function blobMethods(blobs: BlobStore): BlobMethods {
  return {
    beginCreateBlob: ({ key, meta }) => blobs.beginCreate(key, meta),
    beginUpdateBlob: ({ key }) => blobs.beginUpdate(key),
    uploadBlobChunk: ({ session, chunk }) => blobs.append(session, chunk),
    finishBlobUpload: ({ session }) => blobs.finish(session),
    cancelBlobUpload: ({ session }) => blobs.cancel(session),
    getBlobMeta: ({ key }) => blobs.meta(key),
    setBlobMeta: ({ key, meta }) => blobs.setMeta(key, meta),
    beginBlobDownload: ({ key }) => blobs.beginDownload(key),
    downloadBlobChunk: ({ session }) => blobs.read(session),
    deleteBlob: ({ key }) => blobs.delete(key),
    listBlobs: ({ session = '' }) => blobs.list(session),
    getBlobReplication: ({ key }) => blobs.replication(key),
    updateBlobReplication: ({ key, replication }) => blobs.setReplication(key, replication),
    // The storm command calls it after each blob; there is no ZooKeeper to tell.
    createStateInZookeeper: () => undefined,
    isRemoteBlobExists: ({ blobKey }) => blobs.has(blobKey),
  }
}
