// The commands of a cluster: its roles, its applications, and a prompt.
import { Command } from 'commander'
import { appCommands, masterInfoCommand, workerListCommand } from './app-commands.ts'
import {
  amount,
  collected,
  fileCommand,
  helped,
  type RunFlags,
  voiceOf,
  withRunOptions,
} from './file-command.ts'
import { gatewayCommand } from './gateway-command.ts'
import type { Invocation } from './main.ts'
import { localCommand, masterCommand, workerCommand } from './role-commands.ts'
import { runFile } from './run.ts'
import type { ClusterRequest, RunRequest } from './run-request.ts'
import { shellCommand } from './shell.ts'

export function clusterCommands(invocation: Invocation): Command[] {
  const setExit = (code: number): void => {
    invocation.exit = code
  }
  const app = new Command('app').description('applications of a cluster')
  app.addCommand(appRunCommand(invocation))
  for (const command of appCommands(setExit)) app.addCommand(command)
  return [
    localCommand(setExit, invocation.main.doors),
    masterCommand(setExit).addCommand(masterInfoCommand(setExit)),
    workerCommand(setExit).addCommand(workerListCommand(setExit)),
    gatewayCommand(setExit, invocation.main.doors),
    app,
    shellCommand(setExit),
  ]
}

function appRunCommand(invocation: Invocation): Command {
  const command = withRunOptions(
    fileCommand('run', 'submits a module or a Flux file to a cluster; with an end, waits for it'),
  )
    .option('--master <host:port,…>', 'masters; default: $GEAR_MASTERS, else those of --settings')
    .option('--settings <file>', 'gear.yaml with cluster.masters and security')
    .option('--cpu <cores>', 'cores that each executor takes of its worker', amount)
    .option('--memory-mb <MB>', 'memory that each executor takes of its worker', amount)
    .option('--strategy <name>', 'how executors are placed: spread, pack, locality, or your own')
    .option('--label <name=value>', 'only on workers with this label; may be repeated', collected)
    .option('--bundle <path>', 'directory, zip or jar that travels; default: the project of FILE')
  return command.action(async (file: string | undefined, flags: RunFlags & ClusterRequest) => {
    if (await helped(invocation, command, file, flags)) return
    const { doors } = invocation.main
    const request: RunRequest = {
      ...flags,
      file: file!,
      tokens: invocation.tokens,
      doors,
      cluster: flags,
    }
    invocation.exit = await runFile(request, process, voiceOf(invocation, flags))
  })
}
