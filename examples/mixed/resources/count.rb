# Counts words, as a bolt in a Ruby process. It speaks the multi-lang protocol by itself, in JSON.
require 'json'

def receive
  message = +''
  while (line = $stdin.gets)
    return JSON.parse(message) if line.chomp == 'end'
    message << line
  end
  exit # the host has closed our input
end

def reply(value)
  $stdout.write("#{JSON.generate(value)}\nend\n")
end

$stdin.set_encoding('UTF-8')
setup = receive
File.open(File.join(setup['pidDir'], Process.pid.to_s), 'w') {}
reply('pid' => Process.pid)
$stdout.flush

counts = Hash.new(0)
loop do
  input = receive
  if input['task'] == -1 && input['stream'] == '__heartbeat'
    reply('command' => 'sync')
  else
    word = input['tuple'][0]
    reply('command' => 'emit', 'anchors' => [input['id']], 'tuple' => [word, counts[word] += 1],
          'need_task_ids' => false)
    reply('command' => 'ack', 'id' => input['id'])
  end
  $stdout.flush
end
