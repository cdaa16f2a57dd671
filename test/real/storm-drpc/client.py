"""What a Thrift client in Python (thriftpy2) does with a DRPC server: calls `exclaim` in a thread, answers it, fails it."""
import sys
import tempfile
import threading
import time

import thriftpy2
from thriftpy2.protocol import TBinaryProtocolFactory
from thriftpy2.rpc import make_client
from thriftpy2.transport import TFramedTransportFactory

IDL = """
enum DRPCExceptionType { INTERNAL_ERROR, SERVER_SHUTDOWN, SERVER_TIMEOUT, FAILED_REQUEST }
exception DRPCExecutionException { 1: required string msg; 2: optional DRPCExceptionType type; }
exception AuthorizationException { 1: required string msg; }
struct DRPCRequest { 1: required string func_args; 2: required string request_id; }
service DistributedRPC {
  string execute(1: string functionName, 2: string funcArgs)
    throws (1: DRPCExecutionException e, 2: AuthorizationException aze);
}
service DistributedRPCInvocations {
  void result(1: string id, 2: string result) throws (1: AuthorizationException aze);
  DRPCRequest fetchRequest(1: string functionName) throws (1: AuthorizationException aze);
  void failRequest(1: string id) throws (1: AuthorizationException aze);
  void failRequestV2(1: string id, 2: DRPCExecutionException e) throws (1: AuthorizationException aze);
}
"""

with tempfile.NamedTemporaryFile("w", suffix=".thrift", delete=False) as file:
    file.write(IDL)
idl = thriftpy2.load(file.name, module_name="drpc_thrift")


def client(service, port):
    return make_client(
        service,
        "127.0.0.1",
        int(port),
        proto_factory=TBinaryProtocolFactory(),
        trans_factory=TFramedTransportFactory(),
        timeout=20_000,
    )


caller = client(idl.DistributedRPC, sys.argv[1])
topology = client(idl.DistributedRPCInvocations, sys.argv[2])


def answered(args, answer):
    def serve():
        while True:
            request = topology.fetchRequest("exclaim")
            if request.request_id:
                answer(request)
                return
            time.sleep(0.005)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return caller.execute("exclaim", args)
    except idl.DRPCExecutionException as error:
        return f"{error.msg} ({error.type})"
    finally:
        thread.join()


print("result:", answered("hello \u00fc", lambda r: topology.result(r.request_id, r.func_args + "!")))
reason = idl.DRPCExecutionException(msg="broken", type=0)
print("failed:", answered("x", lambda r: topology.failRequestV2(r.request_id, reason)))
