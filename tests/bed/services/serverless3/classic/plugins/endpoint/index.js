'use strict';

// AWS SDK v2, which serverless 3 uses, doesn't read AWS_ENDPOINT_URL.
module.exports = class Endpoint {
  constructor(serverless) {
    const endpoint = process.env.AWS_ENDPOINT_URL;
    if (endpoint) serverless.getProvider('aws').sdk.config.update({ endpoint, s3ForcePathStyle: true });
  }
};
