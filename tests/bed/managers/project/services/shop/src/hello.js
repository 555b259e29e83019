'use strict';

exports.handler = async () => 'v1';
