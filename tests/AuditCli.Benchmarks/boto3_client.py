"""boto3 with threads: URL, concurrency and calls; prints what they cost as the measured client does."""
import json
import resource
import sys
import threading
import time

import boto3
from botocore.config import Config

url, concurrency, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
client = boto3.client('iam', endpoint_url=url, region_name='us-east-1', aws_access_key_id='AKIAIOSFODNN7EXAMPLE', aws_secret_access_key='not-a-key',
                      config=Config(max_pool_connections=concurrency))


def many(count):
    left, turn = [count], threading.Lock()

    def work():
        while True:
            with turn:
                left[0] -= 1
                if left[0] < 0:
                    return
            assert len(client.list_users()['Users']) == 50

    threads = [threading.Thread(target=work) for _ in range(concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


many(50)
cpu, wall = time.process_time(), time.perf_counter()
many(calls)
print(json.dumps({'Calls': calls, 'Seconds': time.perf_counter() - wall, 'Cpu': time.process_time() - cpu, 'Allocated': 0,
                  'Peak': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
