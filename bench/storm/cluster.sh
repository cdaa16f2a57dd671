#!/usr/bin/env bash
# A real Storm cluster on loopback, assembled from the released jars: cluster.sh up|down|status
# ZooKeeper (the one inside storm-shaded-deps), nimbus, one supervisor with 4 slots. Its home is PEER_BUILD/home.
set -euo pipefail
cd "$(dirname "$0")"
BUILD=${PEER_BUILD:-../../.cache/storm-peer}
mkdir -p "$BUILD" && BUILD=$(cd "$BUILD" && pwd)
JAR=$BUILD/storm-peer.jar
HOME_DIR=$BUILD/home
RUN=$HOME_DIR/run
CP="$HOME_DIR/lib/*:$HOME_DIR/conf"
SUP_OPTS=${SUP_OPTS:--Xmx256m}
prepare() {
  if [ ! -f "$JAR" ] || [ -n "$(find pom.xml src -newer "$JAR")" ]; then
    timeout 900 mvn -q -B -Dstyle.color=never -Dpeer.build="$BUILD" package >&2
  fi
  mkdir -p "$HOME_DIR"/{conf,log4j2,extlib,logs,local,zk} "$RUN"
  ln -sfn ../lib "$HOME_DIR/lib"; ln -sfn ../lib "$HOME_DIR/lib-worker"
  cp conf/cluster-log4j2.xml "$HOME_DIR/log4j2/cluster.xml"
  cp conf/cluster-log4j2.xml "$HOME_DIR/log4j2/worker.xml"
  sed "s#@HOME@#$HOME_DIR#g" conf/storm.yaml.in > "$HOME_DIR/conf/storm.yaml"
  printf 'tickTime=2000\ndataDir=%s/zk\nclientPort=12181\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\nmaxClientCnxns=0\n' "$HOME_DIR" > "$HOME_DIR/conf/zoo.cfg"
}
daemon() { # name, jvm opts, class, args...
  local name=$1 opts=$2; shift 2
  setsid java -server -Ddaemon.name="$name" -Dstorm.home="$HOME_DIR" -Dstorm.log.dir="$HOME_DIR/logs" \
    -Dlogfile.name="$name.log" -Dlog4j.configurationFile="$HOME_DIR/log4j2/cluster.xml" $opts -cp "$CP" "$@" \
    > "$HOME_DIR/logs/$name.out" 2>&1 < /dev/null &
  echo $! > "$RUN/$name.pid"
}
port() { for _ in $(seq 600); do (exec 3<>/dev/tcp/127.0.0.1/"$1") 2>/dev/null && return 0; sleep 0.1; done; echo "port $1 silent" >&2; return 1; }
case ${1:-} in
up)
  prepare
  t0=$(date +%s.%N)
  daemon zookeeper "-Xmx256m -Dzookeeper.4lw.commands.whitelist=*" org.apache.storm.shade.org.apache.zookeeper.server.quorum.QuorumPeerMain "$HOME_DIR/conf/zoo.cfg"
  port 12181
  t1=$(date +%s.%N)
  daemon nimbus "-Xmx1024m" org.apache.storm.daemon.nimbus.Nimbus
  daemon supervisor "$SUP_OPTS" org.apache.storm.daemon.supervisor.Supervisor
  port 16627
  t2=$(date +%s.%N)
  # ready = nimbus lists the supervisor
  java -cp "$JAR:$CP" -Dlog4j.configurationFile="$HOME_DIR/log4j2/cluster.xml" -Dlogfile.name=wait.log -Dstorm.log.dir="$HOME_DIR/logs" gearpump.peer.WaitUp >&2
  t3=$(date +%s.%N)
  echo "{\"zookeeper_up_s\":$(echo "$t1-$t0" | bc),\"nimbus_up_s\":$(echo "$t2-$t0" | bc),\"supervisor_listed_s\":$(echo "$t3-$t0" | bc)}"
  ;;
down)
  for n in supervisor nimbus zookeeper; do
    [ -f "$RUN/$n.pid" ] && kill "$(cat "$RUN/$n.pid")" 2>/dev/null || true
  done
  sleep 2
  # workers outlive their supervisor; each is one we started: its command line names our storm home
  for p in /proc/[0-9]*; do
    { tr "\0" " " < "$p/cmdline"; } 2>/dev/null | grep -q -- "-Dstorm.home=$HOME_DIR " && kill -9 "${p#/proc/}" 2>/dev/null || true
  done
  rm -rf "$HOME_DIR"/{local,zk,run}
  ;;
status)
  tot=0
  for p in /proc/[0-9]*; do
    c=$({ tr "\0" " " < "$p/cmdline"; } 2>/dev/null || true)
    case $c in *"-Dstorm.home=$HOME_DIR "*)
      rss=$(awk '/VmRSS/{print int($2/1024)}' "$p/status" 2>/dev/null || echo 0)
      tot=$((tot + rss))
      echo "${p#/proc/} ${rss}MB $(echo "$c" | grep -o -E 'QuorumPeerMain|nimbus\.Nimbus|supervisor\.Supervisor|worker\.Worker|LogWriter' | head -1)" ;;
    esac
  done
  echo "total ${tot}MB"
  ;;
*) echo "usage: cluster.sh up|down|status" >&2; exit 2 ;;
esac
