"""An SSH server for tests, on a free port of this machine: lets everybody in, runs commands by the shell and keeps files.

What `sparse` wants of the hosts of workers (virtualenvs, tail, remove_logs) goes by SSH; paramiko comes with it. Prints the port.
It ends when its stdin does.
"""
import os
import socket
import subprocess
import sys
import threading

import paramiko


class Files(paramiko.SFTPServerInterface):
    def stat(self, path):
        try:
            return paramiko.SFTPAttributes.from_stat(os.stat(path))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno)

    lstat = stat

    def open(self, path, flags, attr):
        mode = "r+b" if os.path.exists(path) else "w+b"
        handle = paramiko.SFTPHandle(flags)
        handle.readfile = handle.writefile = open(path, mode)
        return handle

    def chattr(self, path, attr):
        if attr.st_mode is not None:
            os.chmod(path, attr.st_mode)
        return paramiko.SFTP_OK


class Door(paramiko.ServerInterface):
    def get_allowed_auths(self, username):
        return "none,password,publickey"

    def check_auth_none(self, username):
        return paramiko.AUTH_SUCCESSFUL

    def check_auth_password(self, username, password):
        return paramiko.AUTH_SUCCESSFUL

    def check_auth_publickey(self, username, key):
        return paramiko.AUTH_SUCCESSFUL

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_pty_request(self, *_):
        return True

    def check_channel_exec_request(self, channel, command):
        threading.Thread(target=execute, args=(channel, command.decode()), daemon=True).start()
        return True


def execute(channel, command):
    done = subprocess.run(
        ["sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    channel.sendall(done.stdout)
    channel.send_exit_status(done.returncode)
    channel.close()


def serve(connection, key):
    transport = paramiko.Transport(connection)
    transport.add_server_key(key)
    transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
    transport.start_server(server=Door())


def accept(listener, key):
    while True:
        serve(listener.accept()[0], key)


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(
    target=accept, args=(listener, paramiko.RSAKey.generate(2048)), daemon=True
).start()
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
