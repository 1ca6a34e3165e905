"""The message of `proof.Echo`, without a compiler of protocol buffers. The scripts follow it in one program."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import grpc

PATH = "/proof.Echo/"
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


@dataclass
class Message:
    content: bytes = b""
    number: int = 0
    status: int = 0
    text: str = ""


def varint(value):
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def encode(message):
    encoded = b""
    if message.content:
        encoded += b"\x0a" + varint(len(message.content)) + message.content
    if message.number:
        encoded += b"\x10" + varint(message.number)
    if message.status:
        encoded += b"\x18" + varint(message.status)
    if message.text:
        text = message.text.encode()
        encoded += b"\x22" + varint(len(text)) + text
    return encoded


def decode(encoded):
    message, at = Message(), 0

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = encoded[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(encoded):
        tag = number()
        value = number()
        if tag & 7 == 2:
            value, at = encoded[at : at + value], at + value
        match tag >> 3:
            case 1:
                message.content = value
            case 2:
                message.number = value
            case 3:
                message.status = value
            case 4:
                message.text = value.decode()
    return message
