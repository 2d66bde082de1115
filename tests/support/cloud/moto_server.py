"""Starts moto's server, with fixes for our tests.

- A stack that was created by a change set has no outputs until it is updated.
- CloudFormation creates no Function URLs.
- CloudFormation removes neither gateway attachments nor route tables, so that their networks remain.
- A task has no creation and start times, and advances to its end when it is described.
"""
import sys

from moto.awslambda.models import lambda_backends
from moto.cloudformation.models import CloudFormationBackend
from moto.core.common_models import CloudFormationModel
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.vpn_gateway import VPCGatewayAttachment
from moto.ecs.models import Task
from moto.server import main

execute_change_set = CloudFormationBackend.execute_change_set


def execute_and_tell(self, change_set_name, stack_name=None):
    execute_change_set(self, change_set_name, stack_name)
    change_set = self.describe_change_set(change_set_name)
    stack = self.stacks[change_set.stack_id]
    stack._parse_template()
    stack.parameters = change_set.parameters
    stack.output_map = stack._create_output_map()


class FunctionUrl(CloudFormationModel):
    # moto takes the service from it.
    __module__ = "moto.awslambda"

    def __init__(self, url):
        self.url = url
        self.physical_resource_id = url

    @staticmethod
    def cloudformation_name_type():
        return None

    @staticmethod
    def cloudformation_type():
        return "AWS::Lambda::Url"

    @classmethod
    def has_cfn_attr(cls, attr):
        return attr == "FunctionUrl"

    def get_cfn_attribute(self, attribute_name):
        return self.url + "/"

    @classmethod
    def create_from_cloudformation_json(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        properties = cloudformation_json["Properties"]
        backend = lambda_backends[account_id][region_name]
        arn = properties["TargetFunctionArn"]
        return cls(backend.create_function_url_config(arn, {"AuthType": properties["AuthType"]}).url)

    @classmethod
    def update_from_cloudformation_json(cls, original_resource, *args, **kwargs):
        return original_resource

    @classmethod
    def delete_from_cloudformation_json(cls, *args, **kwargs):
        """Is deleted with its function."""


def detach(self, account_id, region_name):
    backend = ec2_backends[account_id][region_name]
    for gateway in backend.internet_gateways.values():
        if gateway.vpc is not None and gateway.vpc.id == self.vpc_id:
            backend.detach_internet_gateway(gateway.id, self.vpc_id)


def remove_table(self, account_id, region_name):
    self._associations.clear()
    ec2_backends[account_id][region_name].delete_route_table(self.id)


init_task = Task.__init__


def init_and_date(self, *args, **kwargs):
    init_task(self, *args, **kwargs)
    self.created_at = self.started_at = utcnow()


CloudFormationBackend.execute_change_set = execute_and_tell
Task.__init__ = init_and_date
Task.advance = lambda self: None
RouteTable.delete = remove_table
VPCGatewayAttachment.delete = detach

main(sys.argv[1:])
