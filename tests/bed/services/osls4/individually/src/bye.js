'use strict';

exports.handler = async () => ({ statusCode: 200, body: 'bye v1' });
